/** Doubts about symbols, for the result's `warnings`. */

export type SymbolsWarningCode =
  | 'profile-unconfirmed'
  | 'profile-rejected'
  | 'profile-file'
  | 'no-profile'
  | 'symbol-path'
  | 'symbol-server'
  | 'pdb-not-known'
  | 'pdb-not-found'
  | 'pdb-mismatch'
  | 'pdb-unreadable';

export interface SymbolsWarning {
  readonly code: SymbolsWarningCode;
  readonly message: string;
}
