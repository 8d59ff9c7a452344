// Type-checked rules, and the one direction of imports:
// parsers <- symbols <- src, and inside src: result, kernel, code <- leak, growth <- redact <- analysis <- views <- report <- kd <- batch <- cli.
import tseslint from 'typescript-eslint';
import { LAYERS } from './tools/lint/rooms.mjs';

const forbid = (message, ...folders) => ({
  'no-restricted-imports': ['error', { patterns: [{ regex: `(^|/)(${folders.join('|')})(/|\\.js$)`, message }] }],
});

export default tseslint.config(
  { ignores: ['build/', 'coverage/', 'node_modules/'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/prefer-nullish-coalescing': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      'no-bitwise': 'off',
      eqeqeq: 'error',
    },
  },
  {
    files: ['parsers/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.test.helper.ts'],
    rules: forbid('parsers know no symbols and no policy', 'symbols', 'src', 'test-dumps'),
  },
  {
    files: ['symbols/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.test.helper.ts'],
    rules: forbid('symbols stand below src', 'src', 'test-dumps'),
  },
  {
    files: ['test-dumps/**/*.ts'],
    rules: forbid('the dump builder shares no code with what it tests', 'parsers', 'symbols', 'src', 'tools'),
  },
  ...LAYERS.slice(0, -1).map((rooms, i) => ({
    files: rooms.map((room) => `src/${room}/**/*.ts`),
    ignores: ['**/*.test.ts', '**/*.test.helper.ts'],
    rules: forbid(
      `inside src: ${LAYERS.map((side) => side.join(', ')).join(' <- ')}`,
      'test-dumps',
      'tools',
      ...LAYERS.slice(i + 1).flat(),
    ),
  })),
  {
    files: ['src/code/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.test.helper.ts'],
    rules: forbid('code knows nothing of dumps', 'test-dumps', 'tools', '\\.\\./kernel', ...LAYERS.slice(1).flat()),
  },
  { files: ['**/*.test.ts', '**/*.test.helper.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
  {
    ...tseslint.configs.disableTypeChecked,
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
    },
  },
);
