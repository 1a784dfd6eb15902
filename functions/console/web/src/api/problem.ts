import type { components } from './schema'

export type FieldProblem = components['schemas']['FaultField']

/** An error of the API as a problem document (RFC 9457), or one made here when there is no answer. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly fields: FieldProblem[]
  readonly requestId: string

  constructor(init: {
    status: number
    code: string
    title: string
    detail: string
    fields?: FieldProblem[]
    instance?: string
  }) {
    super(init.detail)
    this.status = init.status
    this.code = init.code
    this.title = init.title
    this.fields = init.fields ?? []
    this.requestId = init.instance ?? ''
  }

  /** The message for one field, if the problem has one. */
  messageFor(field: string): string | undefined {
    return this.fields.find((f) => f.field === field)?.message
  }
}

export function problemFrom(response: Response, body: unknown): Problem {
  if (typeof body === 'object' && body !== null && 'code' in body && 'detail' in body) {
    const problem = body as ConstructorParameters<typeof Problem>[0]
    // What the service says is for programs, which send an ETag.
    if (problem.status === 412)
      problem.detail = 'Someone else changed this meanwhile. Look at it again, then repeat your change.'
    return new Problem(problem)
  }
  return new Problem({
    status: response.status,
    code: 'noAnswer',
    title: 'Service unavailable',
    detail: 'The service is not responding properly. Try again in a moment.',
  })
}

export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message)) {
    return new Problem({
      status: 0,
      code: 'offline',
      title: 'No connection',
      detail: 'The service cannot be reached. Check your connection and try again.',
    })
  }
  return new Problem({
    status: 0,
    code: 'page',
    title: 'Something went wrong',
    detail: 'This page has an error. Reload it. If this happens again, contact support.',
  })
}
