import type { createBrowserRouter, Location } from 'react-router'

type Router = ReturnType<typeof createBrowserRouter>

let current: Router | undefined

/** Names the router whose navigation is meant. */
export function registerRouter(router: Router) {
  current = router
}

/** Where the router is going to; undefined while it goes nowhere. A component that renders hears of it later. */
export const pendingLocation = (): Location | undefined => current?.state.navigation.location
