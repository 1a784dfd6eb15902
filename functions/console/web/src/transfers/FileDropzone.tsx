import { Button, CloseButton, Group, Text } from '@mantine/core'
import { IconFileSpreadsheet, IconUpload } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import classes from './Transfers.module.css'
import { formatSize, fileError } from './upload'

/** Takes one workbook, by drag and drop or from a file dialog. */
export function FileDropzone({
  file,
  onFile,
  disabled,
}: {
  file: File | undefined
  onFile: (file: File | undefined) => void
  disabled: boolean
}) {
  const input = useRef<HTMLInputElement>(null)
  const [dragOver, setDragOver] = useState(false)
  const [tooMany, setTooMany] = useState(false)
  const problem = file && fileError(file)
  // A file dropped beside the area must not replace the page.
  useEffect(() => {
    const preventDefault = (event: DragEvent) => event.preventDefault()
    window.addEventListener('dragover', preventDefault)
    window.addEventListener('drop', preventDefault)
    return () => {
      window.removeEventListener('dragover', preventDefault)
      window.removeEventListener('drop', preventDefault)
    }
  }, [])
  const accept = (files: FileList | null) => {
    setTooMany((files?.length ?? 0) > 1)
    if (files?.length === 1) onFile(files[0])
    if (input.current) input.current.value = '' // so that the same file can be chosen again after it was fixed
  }
  return (
    <div>
      <div
        className={classes.drop}
        data-over={dragOver || undefined}
        data-wrong={problem ? true : undefined}
        onDragOver={(event) => {
          event.preventDefault()
          setDragOver(!disabled)
        }}
        onDragLeave={() => setDragOver(false)}
        onDrop={(event) => {
          event.preventDefault()
          setDragOver(false)
          if (!disabled) accept(event.dataTransfer.files)
        }}
      >
        <input
          ref={input}
          type="file"
          hidden
          aria-label="Excel file"
          accept=".xlsx,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
          onChange={(event) => accept(event.currentTarget.files)}
          disabled={disabled}
        />
        {file ? (
          <Group gap="sm" wrap="nowrap" w="100%">
            <IconFileSpreadsheet size={34} stroke={1.5} aria-hidden className={classes.fileIcon} />
            <div className={classes.fileName}>
              <Text fw={600}>{file.name}</Text>
              <Text size="sm" c="dimmed">
                {formatSize(file.size)}
              </Text>
            </div>
            <Button variant="default" size="xs" disabled={disabled} onClick={() => input.current?.click()}>
              Choose another
            </Button>
            <CloseButton aria-label="Remove the file" disabled={disabled} onClick={() => onFile(undefined)} />
          </Group>
        ) : (
          <>
            <IconUpload size={34} stroke={1.5} aria-hidden />
            <Text fw={600}>Drop the Excel file here</Text>
            <Button variant="default" disabled={disabled} onClick={() => input.current?.click()}>
              Choose file
            </Button>
            <Text size="sm" c="dimmed">
              .xlsx, up to 10 MB and 5,000 rows
            </Text>
          </>
        )}
      </div>
      <Text size="sm" c="red" mt={6} role="alert">
        {problem ?? (tooMany ? 'Only one file can be imported at a time.' : '')}
      </Text>
    </div>
  )
}
