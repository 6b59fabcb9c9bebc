/** How numbers are shown to people. Not by `Intl`, whose first use costs more than all of this program's printing. */

/** `1234567` → `1,234,567`; `decimals` digits after the point. */
export function grouped(value: number, decimals = 0): string {
  if (!Number.isFinite(value)) return String(value);
  const [whole = '0', fraction] = value.toFixed(decimals).split('.');
  const withCommas = whole.replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? withCommas : `${withCommas}.${fraction}`;
}

/** `1` → `1 row`, `1234` → `1,234 rows`. */
export function counted(value: number, noun: string): string {
  return `${grouped(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Three digits are enough for what changes all the time: `1012346` → `1.01 M`, `217430` → `217 k`, `981` → `981`. */
export function short(value: number): string {
  if (value < 10_000) return grouped(value);
  return value < 999_500 ? `${(value / 1e3).toFixed(0)} k` : `${grouped(value / 1e6, 2)} M`;
}

export function duration(valueMs: number): string {
  if (valueMs < 1_000) return `${Math.round(valueMs)} ms`;
  const seconds = valueMs / 1_000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
  return `${grouped(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  if (value < 999_950) return `${(value / 1e3).toFixed(1)} kB`;
  if (value < 999_950_000) return `${(value / 1e6).toFixed(1)} MB`;
  return `${grouped(value / 1e9, 1)} GB`;
}
