import { api, unwrap } from '../api/client'
import type { Schemas } from '../api/client'
import { Problem } from '../api/problem'

export type ImportOptions = Schemas['TransfersImport']
type Form = Schemas['TransfersForm']

/** The limit of the upload form; checked first, because uploading a large file takes long. */
export const maxBytes = 10 * 1024 * 1024

export const formatSize = (bytes: number) =>
  bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} kB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`

/** Why a file cannot be uploaded. Everything else about it is checked by the service. */
export function fileError(file: File): string | undefined {
  if (file.size > maxBytes)
    return `${file.name} is larger than 10 MB and cannot be processed; split it into smaller files.`
  if (file.size === 0) return `${file.name} is empty.`
  return undefined
}

/**
 * Creates an import, posts the file to the bucket and submits the import; returns the id of the job. The signal aborts
 * the upload and cancels the job.
 */
export async function runImport(
  file: File,
  options: ImportOptions,
  key: Record<string, string>,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const { job, form } = await unwrap(api.POST('/api/imports', { params: { header: key }, body: options }))
  try {
    await postForm(form, file, onProgress, signal)
    signal.throwIfAborted()
    await unwrap(api.POST('/api/imports/{id}/submit', { params: { path: { id: job.id } } }))
  } catch (error) {
    // A job without its file would never run.
    await api.POST('/api/jobs/{id}/cancel', { params: { path: { id: job.id } } }).catch(() => undefined)
    throw error
  }
  rememberFile(job.id, file)
  return job.id
}

/** Posts the file as the last part of the form. Only XMLHttpRequest reports the progress of an upload. */
function postForm(form: Form, file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const body = new FormData()
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value)
    body.append('file', file)
    const request = new XMLHttpRequest()
    request.open('POST', form.url)
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    request.onload = () =>
      request.status < 300 ? resolve() : reject(uploadProblem(request.status, request.responseText))
    request.onerror = () =>
      reject(
        new Problem({
          status: 0,
          code: 'upload',
          title: 'The upload failed',
          detail:
            'The connection was lost, or the file was changed or moved after you chose it. Choose it again and submit.',
        }),
      )
    request.onabort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('the upload was stopped'))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(body)
  })
}

function uploadProblem(status: number, body: string): Problem {
  const code = /<Code>(\w+)<\/Code>/.exec(body)?.[1]
  if (code === 'EntityTooLarge') {
    return new Problem({
      status: 413,
      code: 'fileTooLarge',
      title: 'File too large',
      detail: 'The file is larger than 10 MB and cannot be processed; split it into smaller files.',
    })
  }
  return new Problem({
    status,
    code: 'upload',
    title: 'The upload failed',
    detail: 'The file was not accepted, perhaps because the page was open for too long. Submit again.',
  })
}

// The file of the last import, in memory, so that a dry run can be followed by the import without choosing the file
// again.
let lastUpload: { job: string; file: File } | undefined
const rememberFile = (job: string, file: File) => (lastUpload = { job, file })

export const rememberedFile = (job: string): File | undefined => (lastUpload?.job === job ? lastUpload.file : undefined)
