import type { Command } from 'commander';

/** One file per command: `define` adds it to the program; heavy libraries are loaded in its action. */
export interface CommandModule {
  define(program: Command): void;
}
