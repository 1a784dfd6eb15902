import type { LoginStep } from '../api/transport'

/** What the form of a sign-in step is given. */
export interface StepProps {
  /** The answer that asked for this step; it holds the ticket. */
  step: LoginStep
  /** Takes the answer to this step. */
  onNext: (next: LoginStep) => void
  /** Starts over from the password, and says why: a ticket works once and for a few minutes. */
  onRestart: (why: string) => void
}
