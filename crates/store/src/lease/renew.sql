-- Nothing comes back while somebody else has it. Where nobody came between, the turn goes on, also if it ran out.
insert into leases (name, holder, epoch, until) values ($1, $2, 1, {now} + $3)
on conflict (name) do update set
    epoch = leases.epoch + case when leases.holder = $2 then 0 else 1 end,
    holder = $2,
    wanted = case when leases.holder = $2 then leases.wanted else 0 end,
    until = {now} + $3
where leases.holder = $2 or leases.until <= {now}
returning epoch
