// An error whose message is for people.
export class Explained extends Error {}
