/** The product's version; the build takes it from the API reference. */
declare const __VERSION__: string
