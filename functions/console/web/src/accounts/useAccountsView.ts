import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useSearchParams } from 'react-router'
import type { Schemas } from '../api/client'
import type { Field } from '../fields/fields'
import { defaultColumns, parseColumns } from '../grid/gridState'
import type { Column, GridState } from '../grid/gridState'

type SavedSet = Schemas['SettingsSet']

const columnsKey = 'ua.accounts.columns'

/**
 * What the grid of accounts shows. Filters and sort are in the address, so that Back works and a link can be sent.
 * Columns are stored in this browser. A Set sets all of them.
 */
export function useAccountsView(fields: Field[], sets: SavedSet[]) {
  const [params, setParams] = useSearchParams()
  // An address without filters shows the user's default Set.
  const [defaultSet] = useState(() => (params.size > 0 ? undefined : sets.find((s) => s.default)))
  const [columns, setColumns] = useState<Column[]>(() =>
    defaultSet
      ? gridStateOf(defaultSet, fields).columns
      : (parseColumns(localStorage.getItem(columnsKey)) ?? defaultColumns(fields)),
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

  const update = useCallback(
    (next: GridState, set = setId) => {
      setColumns(next.columns)
      localStorage.setItem(columnsKey, JSON.stringify(next.columns))
      setParams(paramsOf(next, set), { replace: true })
    },
    [setId, setParams],
  )
  const selectSet = useCallback(
    (set: SavedSet | undefined) =>
      update(
        set ? gridStateOf(set, fields) : { columns: defaultColumns(fields), filters: {}, sort: '' },
        set?.id ?? '',
      ),
    [update, fields],
  )

  const applied = useRef(false)
  useEffect(() => {
    if (applied.current || !defaultSet) return
    applied.current = true
    const initial = gridStateOf(defaultSet, fields)
    localStorage.setItem(columnsKey, JSON.stringify(initial.columns))
    setParams(paramsOf(initial, defaultSet.id), { replace: true })
  }, [defaultSet, fields, setParams])

  return { state, show: update, choose: selectSet, chosen: sets.find((s) => s.id === setId) }
}

export function gridStateOf(set: SavedSet, fields: Field[]): GridState {
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
