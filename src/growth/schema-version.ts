/** The version of what `trend --json` and `diff --json` write (docs/trend.md): it rises by itself, not with the result's. */
export const GROWTH_SCHEMA_VERSION = '1.0';
