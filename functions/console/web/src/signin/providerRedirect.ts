// The redirect to a provider and back. Its purpose is kept in this tab, because the provider's answer does not have it.
// A cookie that no script can read binds the return to this browser.
const key = 'ua.departure'

export interface ProviderRedirect {
  purpose: 'signIn' | 'link' | 'directory'
  /** The page to return to. */
  back?: string | undefined
}

/** Redirects to the provider; never returns to the caller. */
export function redirectToProvider({ url }: { url: string }, intent: ProviderRedirect): Promise<never> {
  sessionStorage.setItem(key, JSON.stringify(intent))
  window.location.assign(url)
  return new Promise(() => undefined)
}

/** Takes what this tab went to a provider for; it is there once. */
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
