"""Webhooks: subscriptions, the changes they are told of, and the notifications on their way (bc.md section 11).

`book` holds the data, `noticing` turns changes of rows into notifications, `mischief` spoils them on request, `sending`
carries them out.
"""
