/** Steps that even a seed which aims at them comes to a few times only. */
export function isSeldom(at: string): boolean {
  return /boundary|batch|list part|delete part|loads|reads log|rolls back|owner/.test(at);
}
