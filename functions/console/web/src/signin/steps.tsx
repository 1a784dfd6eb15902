import { lazy } from 'react'
import type { ComponentType } from 'react'
import type { StepProps } from './step'

/** The steps after the password, by the names that the API gives them. A new step adds a row. */
export const steps: Partial<Record<string, { title: string; Form: ComponentType<StepProps> }>> = {
  secondFactor: { title: 'Confirm that it is you', Form: lazy(() => import('./SecondFactorStep')) },
  setUpSecondFactor: { title: 'Set up a second factor', Form: lazy(() => import('./SetUpSecondFactorStep')) },
  changePassword: { title: 'Choose a new password', Form: lazy(() => import('./ChangePasswordStep')) },
}
