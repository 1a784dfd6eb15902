import { createBrowserRouter } from 'react-router'
import { Failed } from './common/Failed'
import { Loading } from './common/Loading'
import { pages } from './pages'
import { registerRouter } from './shell/pendingNavigation'

export const router = createBrowserRouter([
  {
    path: '/sign-in',
    errorElement: <Failed />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./signin/SignInPage')).SignInPage }),
  },
  {
    path: '/forgotten',
    errorElement: <Failed />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./signin/ForgottenPage')).ForgottenPage }),
  },
  {
    path: '/set-password',
    errorElement: <Failed />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./signin/SetPasswordPage')).SetPasswordPage }),
  },
  {
    path: '/sso/callback',
    errorElement: <Failed />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./signin/SsoCallbackPage')).SsoCallbackPage }),
  },
  {
    path: '/',
    errorElement: <Failed />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./shell/Shell')).Shell }),
    children: [
      ...pages.map((page) => ({
        ...(page.path ? { path: page.path } : { index: true as const }),
        errorElement: <Failed />,
        lazy: page.lazy,
        handle: page,
      })),
      { path: '*', lazy: async () => ({ Component: (await import('./common/NotFound')).NotFound }) },
    ],
  },
])

registerRouter(router)
