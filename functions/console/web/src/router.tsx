import { createBrowserRouter } from 'react-router'
import { ErrorPage } from './common/ErrorPage'
import { Loading } from './common/Loading'
import { pages } from './pages'
import { registerRouter } from './shell/pendingNavigation'

export const router = createBrowserRouter([
  {
    path: '/sign-in',
    errorElement: <ErrorPage />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./signin/SignInPage')).SignInPage }),
  },
  {
    path: '/forgotten',
    errorElement: <ErrorPage />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./signin/ForgottenPasswordPage')).ForgottenPasswordPage }),
  },
  {
    path: '/set-password',
    errorElement: <ErrorPage />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./signin/SetPasswordPage')).SetPasswordPage }),
  },
  {
    path: '/sso/callback',
    errorElement: <ErrorPage />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./signin/SsoCallbackPage')).SsoCallbackPage }),
  },
  {
    path: '/',
    errorElement: <ErrorPage />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./shell/Shell')).Shell }),
    children: [
      ...pages.map((page) => ({
        ...(page.path ? { path: page.path } : { index: true as const }),
        errorElement: <ErrorPage />,
        lazy: page.lazy,
        handle: page,
      })),
      { path: '*', lazy: async () => ({ Component: (await import('./common/NotFound')).NotFound }) },
    ],
  },
])

registerRouter(router)
