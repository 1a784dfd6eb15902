import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useSearchParams } from 'react-router'
import type { Schemas } from '../api/client'
import type { Field } from '../fields/fields'
import { defaultColumns, readColumns } from '../grid/state'
import type { Column, GridState } from '../grid/state'

type SavedSet = Schemas['SettingsSet']

const kept = 'ua.accounts.columns'

/** What the grid of accounts shows. Filters and order are in the address, so that back works and a link can be sent;
    columns are this browser's. A Set sets all of them. */
export function useView(fields: Field[], sets: SavedSet[]) {
  const [params, setParams] = useSearchParams()
  // Who comes without saying what to see starts with their default.
  const [standard] = useState(() => (params.size > 0 ? undefined : sets.find((s) => s.default)))
  const [columns, setColumns] = useState<Column[]>(() =>
    standard ? stateOf(standard, fields).columns : (readColumns(localStorage.getItem(kept)) ?? defaultColumns(fields)),
  )
  const setId = params.get('set') ?? ''

  const state = useMemo<GridState>(() => {
    const filters: Record<string, string> = {}
    let sort = ''
    params.forEach((text, name) => {
      if (name === 'sort') sort = text
      else if (name !== 'set') filters[name] = text
    })
    return { columns, filters, sort }
  }, [params, columns])

  const show = useCallback(
    (next: GridState, set = setId) => {
      setColumns(next.columns)
      localStorage.setItem(kept, JSON.stringify(next.columns))
      setParams(paramsOf(next, set), { replace: true })
    },
    [setId, setParams],
  )
  const choose = useCallback(
    (set: SavedSet | undefined) =>
      show(set ? stateOf(set, fields) : { columns: defaultColumns(fields), filters: {}, sort: '' }, set?.id ?? ''),
    [show, fields],
  )

  const begun = useRef(false)
  useEffect(() => {
    if (begun.current || !standard) return
    begun.current = true
    const first = stateOf(standard, fields)
    localStorage.setItem(kept, JSON.stringify(first.columns))
    setParams(paramsOf(first, standard.id), { replace: true })
  }, [standard, fields, setParams])

  return { state, show, choose, chosen: sets.find((s) => s.id === setId) }
}

export function stateOf(set: SavedSet, fields: Field[]): GridState {
  const columns = set.columns.map((c) => ({ field: c.field, ...(c.width ? { width: c.width } : {}) }))
  return {
    columns: columns.length > 0 ? columns : defaultColumns(fields),
    filters: { ...set.filters },
    sort: set.sort,
  }
}

const paramsOf = ({ filters, sort }: GridState, set: string) => ({
  ...filters,
  ...(sort && { sort }),
  ...(set && { set }),
})
