import type { LoginStep } from '../api/transport'

/** The props of a sign-in step. */
export interface StepProps {
  /** The answer that asked for this step; it has the ticket. */
  step: LoginStep
  /** What was typed as username or email, if anything was. */
  username: string
  /** Takes the answer to this step, which names the next. */
  onNext: (next: LoginStep) => void
  /** Starts again from the password, with a reason. A ticket works once and for a few minutes. */
  onRestart: (why: string) => void
}
