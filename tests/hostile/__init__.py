"""Files and command lines made to do harm, and the guard that they are read under."""
