// Going to a provider and back. Why somebody went is kept in this tab, because the provider's answer does not say; it is no
// secret. What binds the return to this browser is a cookie that no script can read.
const key = 'ua.departure'

export interface Departure {
  to: 'signIn' | 'link' | 'directory'
  /** The page to go back to. */
  back?: string | undefined
}

/** Leaves for the provider; never comes back to the caller. */
export function go({ url }: { url: string }, departure: Departure): Promise<never> {
  sessionStorage.setItem(key, JSON.stringify(departure))
  window.location.assign(url)
  return new Promise(() => undefined)
}

/** Why this tab went to a provider, once. */
export function returned(): Departure {
  try {
    const found = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Departure | null
    return found ?? { to: 'signIn' }
  } catch {
    return { to: 'signIn' }
  } finally {
    sessionStorage.removeItem(key)
  }
}
