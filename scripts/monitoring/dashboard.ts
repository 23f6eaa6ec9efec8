/**
 * The Grafana dashboard: rows of panels, each placed where there is room.
 */
import { type Panel, type Row, rows } from "./panels.ts"

const source = { type: "prometheus", uid: "$datasource" }

const panelOf = ({ description, queries, title, type, unit }: Panel, id: number, x: number, y: number) => ({
  id,
  title,
  description,
  type,
  datasource: source,
  gridPos: { h: type === "stat" ? 4 : 8, w: type === "stat" ? 6 : 12, x, y },
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  targets: queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: source,
    expr,
    legendFormat: legend
  }))
})

/** Rows one below the other, panels from left to right as far as there is room. */
const layout = (rows: ReadonlyArray<Row>) => {
  const panels: Array<object> = []
  let y = 0
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y: y++ }
    })
    let x = 0
    let height = 0
    for (const panel of row.panels) {
      const [h, w] = panel.type === "stat" ? [4, 6] : [8, 12]
      if (x + w > 24 || (height > 0 && h !== height)) {
        y += height
        x = 0
      }
      panels.push(panelOf(panel, panels.length + 1, x, y))
      height = h
      x += w
    }
    y += height
  }
  return panels
}

export const dashboard = {
  uid: "cloudkit-operator",
  title: "cloudkit-operator",
  description: "ComputeInstances, their jobs, and the operator that launches them.",
  tags: ["kubernetes", "cloudkit"],
  schemaVersion: 39,
  editable: true,
  refresh: "1m",
  time: { from: "now-6h", to: "now" },
  templating: {
    list: [
      { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
      {
        name: "namespace",
        label: "Namespace",
        type: "query",
        datasource: source,
        query: { query: "label_values(cloudkit_build_info, namespace)", refId: "namespaces" },
        refresh: 2,
        includeAll: true,
        multi: true,
        allValue: ".*",
        current: { text: "All", value: "$__all" }
      }
    ]
  },
  panels: layout(rows)
}
