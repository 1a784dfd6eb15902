import { lazy } from 'react'
import type { ComponentType } from 'react'
import type { Step } from '../api/transport'

/** What the form of a step is given. */
export interface StepProps {
  /** The answer that asked for this step; it holds the ticket. */
  step: Step
  /** Takes the answer to this step. */
  done: (next: Step) => void
  /** Starts over from the password, and says why: a ticket works once and for a few minutes. */
  again: (why: string) => void
}

/** The steps after the password, by the name that the service gives them. A new step adds a row. */
export const steps: Partial<Record<string, { title: string; Form: ComponentType<StepProps> }>> = {
  secondFactor: { title: 'Confirm that it is you', Form: lazy(() => import('./SecondFactorStep')) },
  setUpSecondFactor: { title: 'Set up a second factor', Form: lazy(() => import('./SetUpSecondFactorStep')) },
  changePassword: { title: 'Choose a new password', Form: lazy(() => import('./ChangePasswordStep')) },
}
