/** Version of the interface between core and plugins. A plugin's `api` is a range that must contain it. */
export const apiVersion = '1.0.0'
