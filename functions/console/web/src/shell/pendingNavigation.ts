import type { createBrowserRouter, Location } from 'react-router'

type Router = ReturnType<typeof createBrowserRouter>

let current: Router | undefined

/** Sets the router that pendingLocation asks. */
export function registerRouter(router: Router) {
  current = router
}

/** The location that the router is navigating to, if any. Components learn of it only when they render. */
export const pendingLocation = (): Location | undefined => current?.state.navigation.location
