/** What benchmarks share: medians, tables, and programs run one after the other. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value below which a share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** A program's output, line by line as it comes; rejects when it fails. */
export async function runProgram(
  args: readonly string[],
  line: (text: string) => void = () => undefined,
): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  return collect(child, args.join(' '), line);
}

export function collect(child: ChildProcess, name: string, line: (text: string) => void): Promise<string> {
  let stdout = '';
  let stderr = '';
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const each of lines) line(each);
  });
  return new Promise((resolve, reject) => {
    child.on('close', (status, signal) => {
      if (status === 0 || signal === 'SIGKILL') resolve(stdout);
      else reject(new Error(`${name} ended with ${status ?? signal}:\n${stderr}`));
    });
  });
}

/** Largest resident size of a process so far, in MB; 0 where the system does not tell. */
export async function peakMegabytes(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}

/** CPU seconds of all programs that this process has started and that have ended; 0 where the system does not tell. */
export async function childCpuSeconds(): Promise<number> {
  try {
    const stat = await readFile('/proc/self/stat', 'utf8');
    // Behind the name, which may hold anything, `cutime` and `cstime` are the 14th and 15th fields, in ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return 0;
  }
}

/** For how long the cores of this machine were given to other machines since it started; 0 where the system does not tell. */
export async function stolenMs(): Promise<number> {
  try {
    // The 8th field of the first line, over all cores, in ticks of 10 ms.
    const [, ...fields] = (await readFile('/proc/stat', 'utf8')).split('\n', 1)[0].split(/ +/);
    return Number(fields[7]) * 10;
  } catch {
    return 0;
  }
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
        .join('  '),
    )
    .join('\n');
}
