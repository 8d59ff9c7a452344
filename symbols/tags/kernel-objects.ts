/**
 * Tags of the kernel's own objects that the published lists name no binary for. The object manager tags an object with
 * the first four letters of the name of its type (`ObCreateObjectType`, all builds); the I/O manager tags its request
 * packets `Irp ` and the lists that describe memory `Mdl `. Beside each stands the component that makes them.
 */

const OWNERS: Readonly<Record<string, readonly string[]>> = {
  'nt!io': ['File', 'Driv', 'Devi', 'Adap', 'Irp ', 'Mdl '],
  'nt!ex': ['Even', 'Sema', 'Muta', 'Prof', 'Keye'],
  'nt!cm': ['Key '],
  'nt!ob': ['Symb', 'Dire', 'Type'],
};

/** In the form of the built-in list, of which they are the end. */
export const KERNEL_OBJECT_TAGS = Object.entries(OWNERS).flatMap(([binary, tags]) =>
  tags.map((tag) => ({ tag, binaries: [binary] })),
);
