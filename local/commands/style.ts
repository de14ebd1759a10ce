import { styleText } from 'node:util'

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan'

/** Colours for people; plain text wherever the output is read by a program (or NO_COLOR is set). */
export const styled = (style: Style, text: string): string =>
  styleText(style, text, { stream: process.stdout })
