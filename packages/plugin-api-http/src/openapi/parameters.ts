import type { PathStyle } from './path-style.ts'

type Json = Record<string, unknown>

/** Query parameters of lists and watches. */
export const listParameters = (style: PathStyle): Json[] => [
  style.parameter('allowWatchBookmarks', 'query', 'boolean', 'Asks for events of type BOOKMARK in a watch.'),
  style.parameter('continue', 'query', 'string', 'Where a list in pages goes on: the value that the previous page gave.'),
  style.parameter('fieldSelector', 'query', 'string', 'Restricts the objects by their fields. Default: everything.'),
  style.parameter('labelSelector', 'query', 'string', 'Restricts the objects by their labels. Default: everything.'),
  style.parameter('limit', 'query', 'integer', 'Most objects of one page.'),
  style.parameter('resourceVersion', 'query', 'string', 'Which version of the data is asked for. Default: the most recent.'),
  style.parameter('resourceVersionMatch', 'query', 'string', 'How resourceVersion applies to a list.'),
  style.parameter('sendInitialEvents', 'query', 'boolean', 'Begins a watch with the state, closed by a bookmark.'),
  style.parameter('timeoutSeconds', 'query', 'integer', 'Ends a watch after so long.'),
  style.parameter('watch', 'query', 'boolean', 'Asks for changes as they happen instead of a list.'),
]

const dryRun = (style: PathStyle): Json => style.parameter('dryRun', 'query', 'string', 'All: everything is done but nothing is stored.')

/** Of creations and replacements: kubectl looks for `fieldValidation` before it relies on the server. */
export const writeParameters = (style: PathStyle): Json[] => [
  dryRun(style),
  style.parameter('fieldManager', 'query', 'string', 'Name of the actor that makes these changes, of at most 128 characters.'),
  style.parameter(
    'fieldValidation',
    'query',
    'string',
    'What happens to unknown and duplicate fields: Ignore, Warn (the default) or Strict.',
  ),
]

/** Of patches. */
export const patchParameters = (style: PathStyle): Json[] => [
  ...writeParameters(style),
  style.parameter('force', 'query', 'boolean', 'Takes fields over from other managers in an apply.'),
]

/** Of deletions; the body may say the same. */
export const deleteParameters = (style: PathStyle): Json[] => [
  dryRun(style),
  style.parameter('gracePeriodSeconds', 'query', 'integer', 'Time before the object goes; 0 is at once.'),
  style.parameter('orphanDependents', 'query', 'boolean', 'Deprecated: see propagationPolicy.'),
  style.parameter('propagationPolicy', 'query', 'string', 'What happens to dependents: Orphan, Background or Foreground.'),
]
