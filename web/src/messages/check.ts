export const check = {
  title: 'Check',
}
