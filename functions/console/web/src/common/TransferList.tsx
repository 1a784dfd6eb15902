import { Button, TextInput, VisuallyHidden } from '@mantine/core'
import { IconArrowLeft, IconArrowRight, IconCheck, IconSearch } from '@tabler/icons-react'
import { useEffect, useId, useRef, useState } from 'react'
import type { KeyboardEvent } from 'react'
import classes from './TransferList.module.css'

export interface TransferItem {
  code: string
  description: string
  /** Why it cannot be selected. */
  disabledReason?: string | undefined
}

interface Props {
  /** What is selected from, such as User roles. */
  label: string
  items: TransferItem[]
  selected: string[]
  onChange: (codes: string[]) => void
}

/**
 * Two lists: what is available and what is selected. Arrow keys move within a list, space marks an entry and Enter
 * moves it; so do the buttons and a double click.
 */
export function TransferList({ label, items, selected, onChange }: Props) {
  const [search, setSearch] = useState('')
  const [marked, setMarked] = useState<{ available: string[]; selected: string[] }>({ available: [], selected: [] })
  const [announcement, setAnnouncement] = useState('')
  const matches = (i: TransferItem) => `${i.code} ${i.description}`.toLowerCase().includes(search.trim().toLowerCase())
  const available = items.filter((i) => !selected.includes(i.code) && matches(i))
  // A selected code is shown even if the item is gone.
  const selectedItems = selected.map((code) => items.find((i) => i.code === code) ?? { code, description: '' })
  const add = (codes: string[]) => {
    const enabled = codes.filter((code) => !items.find((i) => i.code === code)?.disabledReason)
    if (enabled.length === 0) return setAnnouncement(`${codes.join(', ')} cannot be selected.`)
    onChange([...selected, ...enabled])
    setMarked({ available: [], selected: [] })
    setAnnouncement(`${enabled.join(', ')} added.`)
  }
  const remove = (codes: string[]) => {
    if (codes.length === 0) return
    onChange(selected.filter((c) => !codes.includes(c)))
    setMarked({ available: [], selected: [] })
    setAnnouncement(`${codes.join(', ')} removed.`)
  }
  return (
    <div role="group" aria-label={label}>
      <TextInput
        aria-label={`Search ${label.toLowerCase()}`}
        placeholder="Search"
        mb="sm"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={search}
        onChange={(e) => setSearch(e.currentTarget.value)}
      />
      <div className={classes.lists}>
        <List
          title="Available"
          name={`${label}, available`}
          items={available}
          marked={marked.available}
          onMark={(codes) => setMarked({ ...marked, available: codes })}
          onMove={add}
          emptyText={search ? 'No matches.' : 'All are selected.'}
        />
        <div className={classes.moves}>
          <Button
            size="sm"
            variant="light"
            rightSection={<IconArrowRight size={16} aria-hidden />}
            disabled={marked.available.length === 0}
            onClick={() => add(marked.available)}
          >
            Add
          </Button>
          <Button
            size="sm"
            variant="default"
            leftSection={<IconArrowLeft size={16} aria-hidden />}
            disabled={marked.selected.length === 0}
            onClick={() => remove(marked.selected)}
          >
            Remove
          </Button>
        </div>
        <List
          title="Selected"
          name={`${label}, selected`}
          items={selectedItems}
          marked={marked.selected}
          onMark={(codes) => setMarked({ ...marked, selected: codes })}
          onMove={remove}
          emptyText="None selected."
        />
      </div>
      <VisuallyHidden role="status">{announcement}</VisuallyHidden>
    </div>
  )
}

interface ListProps {
  /** The visible heading. */
  title: string
  /** The name for screen readers. */
  name: string
  items: TransferItem[]
  marked: string[]
  onMark: (codes: string[]) => void
  onMove: (codes: string[]) => void
  emptyText: string
}

function List({ title, name, items, marked, onMark, onMove, emptyText }: ListProps) {
  const id = useId()
  const list = useRef<HTMLUListElement>(null)
  const [position, setPosition] = useState(0)
  const current = Math.min(position, items.length - 1)
  useEffect(() => {
    list.current?.querySelector('[data-current]')?.scrollIntoView({ block: 'nearest' })
  }, [current])
  const toggle = (item: TransferItem | undefined) => {
    if (!item || item.disabledReason) return
    onMark(marked.includes(item.code) ? marked.filter((c) => c !== item.code) : [...marked, item.code])
  }
  const handleKey = (event: KeyboardEvent) => {
    const to: Record<string, number> = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: items.length - 1 }
    if (event.key in to) setPosition(Math.max(0, Math.min(items.length - 1, to[event.key]!)))
    else if (event.key === ' ') toggle(items[current])
    else if (event.key === 'Enter') onMove(marked.length > 0 ? marked : items[current] ? [items[current].code] : [])
    else return
    event.preventDefault()
  }
  return (
    <div className={classes.side}>
      <span className={classes.name} aria-hidden>
        {title}
      </span>
      <ul
        ref={list}
        className={classes.list}
        role="listbox"
        aria-label={name}
        aria-multiselectable
        tabIndex={0}
        onKeyDown={handleKey}
        aria-activedescendant={items.length > 0 ? `${id}-${current}` : undefined}
      >
        {items.map((item, i) => (
          <li
            key={item.code}
            id={`${id}-${i}`}
            role="option"
            className={classes.option}
            aria-selected={marked.includes(item.code)}
            aria-disabled={item.disabledReason ? true : undefined}
            data-current={i === current || undefined}
            onClick={() => {
              setPosition(i)
              toggle(item)
            }}
            onDoubleClick={() => onMove([item.code])}
          >
            <span className={classes.tick}>{marked.includes(item.code) && <IconCheck size={16} aria-hidden />}</span>
            <span className={classes.words}>
              <span className={classes.code}>{item.code}</span>
              {item.description && ` – ${item.description}`}
              {item.disabledReason && <span className={classes.why}>{item.disabledReason}</span>}
            </span>
          </li>
        ))}
        {items.length === 0 && (
          <li role="option" aria-disabled="true" aria-selected={false} className={classes.none}>
            {emptyText}
          </li>
        )}
      </ul>
    </div>
  )
}
