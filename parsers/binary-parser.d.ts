/** binary-parser ships types that NodeNext resolution does not find; this points at them. */
declare module 'binary-parser' {
  export { Parser } from 'binary-parser/dist/binary_parser.js';
}
