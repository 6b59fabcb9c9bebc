/** What happened, as a number that is the same for the same happenings, and as lines for whoever asks. */
export class Trace {
  readonly #print: ((line: string) => void) | null;
  #high = 0x811c9dc5;
  #low = 0x1b873593;

  constructor(print: ((line: string) => void) | null) {
    this.#print = print;
  }

  get hash(): string {
    const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  /** A step: where, and at what time. */
  step(label: string, now: number): void {
    this.#mix(label);
    this.#number(Math.round(now * 1000));
  }

  /** Something worth a line. */
  note(now: number, text: string): void {
    this.#mix(text);
    this.#print?.(`${now.toFixed(2).padStart(12)}  ${text}`);
  }

  #mix(text: string): void {
    for (let i = 0; i < text.length; i++) this.#number(text.charCodeAt(i));
  }

  #number(value: number): void {
    this.#high = Math.imul(this.#high ^ value, 0x01000193);
    this.#low = Math.imul(this.#low ^ value ^ (this.#high >>> 15), 0x85ebca6b);
  }
}
