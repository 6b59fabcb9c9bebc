/** Two characters at least, so that `C:\data` is a path. */
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s;

/** The location without anything that could be a user, a password, a token or a signature. */
export function withoutSecrets(location: string): string {
  const [, scheme, rest] = SCHEME.exec(location) ?? [];
  if (scheme === undefined || rest === undefined) return location;
  // An unescaped password may hold any character, so everything up to the last @ goes.
  const shown = rest.replace(/^(\/*).*@/s, '$1***@').replace(/[?#].*$/s, '?***');
  return `${scheme}:${shown}`;
}
