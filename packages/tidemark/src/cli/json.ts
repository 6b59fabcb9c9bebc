/** JSON of any result: what JSON has no word for is written as the nearest thing. */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, nearest, indent) ?? 'null';
}

function nearest(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map || value instanceof Set) return [...value];
  return value;
}
