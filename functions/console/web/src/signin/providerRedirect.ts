// Going to a provider and back. Why somebody went is kept in this tab, because the provider's answer does not say; it is no
// secret. What binds the return to this browser is a cookie that no script can read.
const key = 'ua.departure'

export interface ProviderRedirect {
  purpose: 'signIn' | 'link' | 'directory'
  /** The page to go back to. */
  back?: string | undefined
}

/** Leaves for the provider; never comes back to the caller. */
export function redirectToProvider({ url }: { url: string }, intent: ProviderRedirect): Promise<never> {
  sessionStorage.setItem(key, JSON.stringify(intent))
  window.location.assign(url)
  return new Promise(() => undefined)
}

/** Why this tab went to a provider, once. */
export function takeRedirect(): ProviderRedirect {
  try {
    const stored = JSON.parse(sessionStorage.getItem(key) ?? 'null') as ProviderRedirect | null
    return stored ?? { purpose: 'signIn' }
  } catch {
    return { purpose: 'signIn' }
  } finally {
    sessionStorage.removeItem(key)
  }
}
