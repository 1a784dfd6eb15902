import { Button, TextInput, VisuallyHidden } from '@mantine/core'
import { IconArrowLeft, IconArrowRight, IconCheck, IconSearch } from '@tabler/icons-react'
import { useEffect, useId, useRef, useState } from 'react'
import type { KeyboardEvent } from 'react'
import classes from './TwoLists.module.css'

export interface Item {
  code: string
  description: string
  /** Why it cannot be chosen. */
  refused?: string | undefined
}

interface Props {
  /** What is chosen from, such as User roles. */
  label: string
  items: Item[]
  chosen: string[]
  onChange: (codes: string[]) => void
}

/** Two lists: what there is, and what is chosen. Arrows walk a list, space picks, Enter moves; so do the buttons and a double click. */
export function TwoLists({ label, items, chosen, onChange }: Props) {
  const [find, setFind] = useState('')
  const [picked, setPicked] = useState<{ from: string[]; to: string[] }>({ from: [], to: [] })
  const [said, setSaid] = useState('')
  const fits = (i: Item) => `${i.code} ${i.description}`.toLowerCase().includes(find.trim().toLowerCase())
  const there = items.filter((i) => !chosen.includes(i.code) && fits(i))
  // What is chosen is shown even where it is not known any more.
  const taken = chosen.map((code) => items.find((i) => i.code === code) ?? { code, description: '' })
  const add = (codes: string[]) => {
    const able = codes.filter((code) => !items.find((i) => i.code === code)?.refused)
    if (able.length === 0) return setSaid(`${codes.join(', ')} cannot be chosen.`)
    onChange([...chosen, ...able])
    setPicked({ from: [], to: [] })
    setSaid(`${able.join(', ')} added.`)
  }
  const remove = (codes: string[]) => {
    if (codes.length === 0) return
    onChange(chosen.filter((c) => !codes.includes(c)))
    setPicked({ from: [], to: [] })
    setSaid(`${codes.join(', ')} removed.`)
  }
  return (
    <div role="group" aria-label={label}>
      <TextInput
        aria-label={`Find in ${label.toLowerCase()}`}
        placeholder="Find"
        mb="sm"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={find}
        onChange={(e) => setFind(e.currentTarget.value)}
      />
      <div className={classes.lists}>
        <List
          name={`${label} to choose from`}
          items={there}
          picked={picked.from}
          onPick={(from) => setPicked({ ...picked, from })}
          onMove={add}
          none={find ? 'Nothing fits.' : 'All are chosen.'}
        />
        <div className={classes.moves}>
          <Button
            size="sm"
            variant="light"
            rightSection={<IconArrowRight size={16} aria-hidden />}
            disabled={picked.from.length === 0}
            onClick={() => add(picked.from)}
          >
            Add
          </Button>
          <Button
            size="sm"
            variant="default"
            leftSection={<IconArrowLeft size={16} aria-hidden />}
            disabled={picked.to.length === 0}
            onClick={() => remove(picked.to)}
          >
            Remove
          </Button>
        </div>
        <List
          name={`${label} chosen`}
          items={taken}
          picked={picked.to}
          onPick={(to) => setPicked({ ...picked, to })}
          onMove={remove}
          none="None is chosen."
        />
      </div>
      <VisuallyHidden role="status">{said}</VisuallyHidden>
    </div>
  )
}

interface ListProps {
  name: string
  items: Item[]
  picked: string[]
  onPick: (codes: string[]) => void
  onMove: (codes: string[]) => void
  none: string
}

function List({ name, items, picked, onPick, onMove, none }: ListProps) {
  const id = useId()
  const list = useRef<HTMLUListElement>(null)
  const [at, setAt] = useState(0)
  const current = Math.min(at, items.length - 1)
  useEffect(() => {
    list.current?.querySelector('[data-current]')?.scrollIntoView({ block: 'nearest' })
  }, [current])
  const toggle = (item: Item | undefined) => {
    if (!item || item.refused) return
    onPick(picked.includes(item.code) ? picked.filter((c) => c !== item.code) : [...picked, item.code])
  }
  const keys = (event: KeyboardEvent) => {
    const to: Record<string, number> = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: items.length - 1 }
    if (event.key in to) setAt(Math.max(0, Math.min(items.length - 1, to[event.key]!)))
    else if (event.key === ' ') toggle(items[current])
    else if (event.key === 'Enter') onMove(picked.length > 0 ? picked : items[current] ? [items[current].code] : [])
    else return
    event.preventDefault()
  }
  return (
    <div className={classes.side}>
      <span className={classes.name} aria-hidden>
        {name.replace(/^.* (?=to choose|chosen)/, '').replace(/^./, (c) => c.toUpperCase())}
      </span>
      <ul
        ref={list}
        className={classes.list}
        role="listbox"
        aria-label={name}
        aria-multiselectable
        tabIndex={0}
        onKeyDown={keys}
        aria-activedescendant={items.length > 0 ? `${id}-${current}` : undefined}
      >
        {items.map((item, i) => (
          <li
            key={item.code}
            id={`${id}-${i}`}
            role="option"
            className={classes.option}
            aria-selected={picked.includes(item.code)}
            aria-disabled={item.refused ? true : undefined}
            data-current={i === current || undefined}
            onClick={() => {
              setAt(i)
              toggle(item)
            }}
            onDoubleClick={() => onMove([item.code])}
          >
            <span className={classes.tick}>{picked.includes(item.code) && <IconCheck size={16} aria-hidden />}</span>
            <span className={classes.words}>
              <span className={classes.code}>{item.code}</span>
              {item.description && ` – ${item.description}`}
              {item.refused && <span className={classes.why}>{item.refused}</span>}
            </span>
          </li>
        ))}
        {items.length === 0 && (
          <li role="option" aria-disabled="true" aria-selected={false} className={classes.none}>
            {none}
          </li>
        )}
      </ul>
    </div>
  )
}
