import createClient from 'openapi-fetch'
import { asProblem, problemOf } from './problem'
import type { components, paths } from './schema'
import { send } from './transport'

/** The API by its own reference: paths, parameters and bodies are checked by the compiler. */
export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: send })

export type Schemas = components['schemas']

/** Waits for an answer of the API: its body, or a Problem thrown. */
export async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer
  try {
    answer = await call
  } catch (error) {
    throw asProblem(error)
  }
  if (!answer.response.ok) throw problemOf(answer.response, answer.error)
  return answer.data as T
}

/** The If-Match header for a version that was read. */
export const ifMatch = (version: number) => ({ 'If-Match': `"${version}"` })

/** The header by which a request that was sent twice is done once; make one for each press of a button. */
export const once = () => ({ 'Idempotency-Key': crypto.randomUUID() })
