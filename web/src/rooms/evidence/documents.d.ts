declare module '*.svg?plot' {
  const url: string
  export default url
}
declare module '*.md' {
  const html: string
  export default html
}
declare module '*.md?head' {
  const html: string
  export default html
}

/** The day on which this page was built (vite.config.ts). */
declare const __BUILT__: string
