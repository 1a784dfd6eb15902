import { createBrowserRouter, Navigate } from 'react-router'
import { pages } from './pages'
import { Failed } from './common/Failed'
import { Loading } from './common/Loading'

export const router = createBrowserRouter([
  {
    path: '/sign-in',
    errorElement: <Failed />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./signin/SignInPage')).SignInPage }),
  },
  {
    path: '/',
    errorElement: <Failed />,
    hydrateFallbackElement: <Loading />,
    lazy: async () => ({ Component: (await import('./shell/Shell')).Shell }),
    children: [
      { index: true, element: <Navigate to="/accounts" replace /> },
      ...pages.map((page) => ({ path: page.path, errorElement: <Failed />, lazy: page.lazy, handle: page })),
      { path: '*', lazy: async () => ({ Component: (await import('./common/NotFound')).NotFound }) },
    ],
  },
])
