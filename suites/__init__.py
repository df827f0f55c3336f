"""The suites: tables of promises. A suite says what is given, dialled and promised; how is asked elsewhere."""
