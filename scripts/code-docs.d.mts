/** Code, its first message, the files that name it. */
export function collectCodes(): [string, { message: string; files: Set<string> }][];
export function codesPage(): string;
