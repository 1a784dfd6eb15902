// Countries and currencies from the browser's Intl data; the API validates the codes.
interface Option {
  value: string
  label: string
}

let knownCountries: Option[] | undefined
let knownCurrencies: Option[] | undefined

// Codes that Intl has a name for, but that are not countries.
const notCountries = new Set([
  'EU',
  'EZ',
  'UN',
  'QO',
  'ZZ',
  'XA',
  'XB',
  'XK',
  'AC',
  'CP',
  'DG',
  'EA',
  'IC',
  'TA',
  'CQ',
  'AN',
  'BU',
  'CS',
  'DD',
  'FX',
  'NT',
  'SU',
  'TP',
  'YD',
  'YU',
  'ZR',
  'UK',
  'SF',
  'RH',
  'VD',
  'NH',
  'HV',
  'FQ',
  'NQ',
  'PC',
  'PU',
  'PZ',
  'WK',
  'MI',
  'JT',
  'CT',
  'DY',
])

/** The countries of ISO 3166, by name. */
export function countries(): Option[] {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  knownCountries ??= letters
    .flatMap((a) => letters.map((b) => a + b))
    .flatMap((code) => {
      const name = notCountries.has(code) ? undefined : names.of(code)
      return name ? [{ value: code, label: `${code} – ${name}` }] : []
    })
  return knownCountries
}

/** The currencies of ISO 4217, by code. */
export function currencies(): Option[] {
  const names = new Intl.DisplayNames(['en'], { type: 'currency' })
  knownCurrencies ??= Intl.supportedValuesOf('currency').map((code) => ({
    value: code,
    label: `${code} – ${names.of(code) ?? code}`,
  }))
  return knownCurrencies
}
