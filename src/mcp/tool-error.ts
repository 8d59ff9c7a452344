/** What a tool answers when it cannot do what was asked. The message is for the client, and safe to show. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}
