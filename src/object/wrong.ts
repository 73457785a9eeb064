/** An argument that a method does not take, in one sentence. */
export class WrongArgument extends Error {}
