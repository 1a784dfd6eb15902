import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './styles/variables.css'
import './styles/global.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router'
import { queryClient } from './api/queryClient'
import { watchSession } from './api/transport'
import { watchFocus } from './common/lastFocused'
import { ProofDialog } from './common/ProofDialog'
import { PagesContext } from './page'
import { pages } from './pages'
import { router } from './router'
import { theme } from './theme'

watchSession()
watchFocus()

const root = document.getElementById('root')
if (!root) throw new Error('the page has no root')
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queryClient}>
        <Notifications position="bottom-center" autoClose={5000} />
        <PagesContext value={pages}>
          <RouterProvider router={router} />
        </PagesContext>
        <ProofDialog />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
