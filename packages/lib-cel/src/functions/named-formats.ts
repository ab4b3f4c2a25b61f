import { dns1035LabelFaults, dnsLabelFaults, dnsSubdomainFaults, hasStringFormat, labelKeyFaults, labelValueFaults } from '@continuo/core'
import { ArrayList } from '../values/collections.ts'
import { OpaqueValue, type Optional } from '../values/value.ts'
import { none, optionalOf } from './optionals.ts'
import { fn, method, type Overload, perCharacter } from './overload.ts'

type Faults = (text: string) => readonly string[]

class FormatValue extends OpaqueValue {
  readonly typeName = 'kubernetes.NamedFormat'
  readonly name: string
  readonly faults: Faults

  constructor(name: string, faults: Faults) {
    super()
    this.name = name
    this.faults = faults
  }

  override equals(other: OpaqueValue): boolean {
    return other instanceof FormatValue && other.name === this.name
  }
}

const ofFormat =
  (format: string): Faults =>
  (text) =>
    hasStringFormat(format, text) ? [] : [`invalid ${format}`]

const rules: Readonly<Record<string, Faults>> = {
  dns1123Label: (text) => dnsLabelFaults(text),
  dns1123Subdomain: (text) => dnsSubdomainFaults(text),
  dns1035Label: (text) => dns1035LabelFaults(text),
  dns1123LabelPrefix: (text) => dnsLabelFaults(text, true),
  dns1123SubdomainPrefix: (text) => dnsSubdomainFaults(text, true),
  dns1035LabelPrefix: (text) => dns1035LabelFaults(text, true),
  qualifiedName: labelKeyFaults,
  labelValue: labelValueFaults,
  uri: ofFormat('uri'),
  uuid: ofFormat('uuid'),
  byte: ofFormat('byte'),
  date: ofFormat('date'),
  datetime: ofFormat('date-time'),
}

const formats = new Map(Object.entries(rules).map(([name, faults]) => [name, new FormatValue(name, faults)]))

function validate({ faults }: FormatValue, text: string): Optional {
  const found = faults(text)
  return found.length === 0 ? none : optionalOf(new ArrayList(found))
}

export const namedFormats: readonly Overload[] = [
  fn('format.named(string): optional<namedFormat>', (name: string) => optionalOf(formats.get(name))),
  ...Array.from(formats, ([name, format]) => fn(`format.${name}(): namedFormat`, () => format)),
  method('namedFormat', 'validate(string): optional<list<string>>', validate, { cost: (_format, text) => Math.max(1, perCharacter(text)) }),
]
