import { type Collected, Job, text } from 'tidemark';

/** Analysis: which words do speeches use, and how often? Lines become words where they are read; counts live by word. */
export class Words extends Job<string, number, never, { n: number }> {
  override setup() {
    this.setInput(text({ each: wordsOf }));
  }

  override initial() {
    return { n: 0 };
  }

  override process(_: string, times: number) {
    this.state.n += times;
  }

  override onEndOfStream(word: string) {
    this.collect(word, this.state.n);
  }

  override summarize(collected: readonly Collected[]) {
    const words = collected.map(({ key, value }) => ({ word: String(key), times: Number(value) }));
    const total = words.reduce((sum, { times }) => sum + times, 0);
    return {
      title: 'The most frequent words',
      rows: words.sort((a, b) => b.times - a.times || (a.word < b.word ? -1 : 1)).slice(0, 10),
      notes: [`${total.toLocaleString('en')} words, ${words.length.toLocaleString('en')} distinct`],
    };
  }
}

/** A line's words with how often each stands in it: one record a word instead of one an occurrence. */
function wordsOf(line: string): Iterable<readonly [string, number]> {
  const counts = new Map<string, number>();
  for (const word of line.toLowerCase().match(/\p{L}+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

await Words.main(import.meta);
