// A program of its own, so that a test can run it under valgrind: HandleLifetimeTests.
try HandleUse.run()
print("all handles are gone")
