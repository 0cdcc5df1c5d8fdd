"""What is paid for: noted before it is made, and recorded before it is used.

ledger   PostgreSQL, the spool, and the copies in Redis, as one      spool   where it goes while PostgreSQL is away
once     a step inside a handler, made once
"""
