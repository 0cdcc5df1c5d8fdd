"""The way a record takes through a process, between the threads that poll and commit.

admission   which may begin: due, first of its key, what it needs there   rooms   who waits for a dependency
turnstile   one by one into the handler; fewer after crashes, none while paused   gate   the operator's word
runners     slow, in line, in batches                                    slots   who of the slow ones is at work
layers      decode, handle, errors to outcomes, settle                   encoding   decisions to records
cancelling  nothing is begun of what an operator cancels, and what runs of it is stopped
shares      what the process has of each partition                       room   how much of it may be held
"""
