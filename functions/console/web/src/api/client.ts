import createClient from 'openapi-fetch'
import { toProblem, problemFrom } from './problem'
import type { components, paths } from './schema'
import { sendRequest } from './transport'

/** The API client. The compiler checks paths, parameters and bodies against the reference. */
export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: sendRequest })

export type Schemas = components['schemas']

/** Returns the body of an answer of the API, or throws a Problem. */
export async function unwrap<T>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result
  try {
    result = await request
  } catch (error) {
    throw toProblem(error)
  }
  if (!result.response.ok) throw problemFrom(result.response, result.error)
  return result.data as T
}

/** The If-Match header for the version that was read. */
export const ifMatch = (version: number) => ({ 'If-Match': `"${version}"` })

/** The header by which a request that is sent twice is carried out once; one for each press of a button. */
export const idempotencyKey = () => ({ 'Idempotency-Key': crypto.randomUUID() })
