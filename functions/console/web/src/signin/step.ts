import type { Step } from '../api/transport'

/** What the form of a sign-in step is given. */
export interface StepProps {
  /** The answer that asked for this step; it holds the ticket. */
  step: Step
  /** Takes the answer to this step. */
  done: (next: Step) => void
  /** Starts over from the password, and says why: a ticket works once and for a few minutes. */
  again: (why: string) => void
}
