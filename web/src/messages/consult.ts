export const consult = {
  title: 'Consult',
}
