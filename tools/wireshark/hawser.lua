-- Wireshark and tshark: the IP protocols 253 and 254 carry SCTP, and the chunks, INIT parameters and
-- error causes of hawser's example extensions have names.
--
--   tshark -X lua_script:hawser.lua -r FILE
--
-- or for good: copy it to the folder that "tshark -G folders" calls Personal Lua Plugins.
--
-- Fields to filter by: hawser.extension, hawser.chunk, hawser.parameter, hawser.cause, as in
--   tshark -X lua_script:hawser.lua -r FILE -Y 'hawser.chunk == "PARITY"'
--
-- A new extension is a row here: the numbers and names of its struct hws_extension.
local extensions = {
    { name = "fec", chunks = { [0x9f] = "PARITY" }, parameters = { [0x9fec] = "fec" }, causes = {} },
}

local protocols = { 253, 254 } -- for experiments (RFC 3692)

local hawser = Proto("hawser", "Extensions of SCTP (hawser)")
local names = {
    extension = ProtoField.string("hawser.extension", "Extension"),
    chunks = ProtoField.string("hawser.chunk", "Chunk"),
    parameters = ProtoField.string("hawser.parameter", "INIT parameter"),
    causes = ProtoField.string("hawser.cause", "Error cause"),
}
hawser.fields = { names.extension, names.chunks, names.parameters, names.causes }

-- What SCTP's own dissector has found of each kind.
local found = {
    chunks = Field.new("sctp.chunk_type"),
    parameters = Field.new("sctp.parameter_type"),
    causes = Field.new("sctp.cause_code"),
}

-- The extension that has this number, and its name there.
local function look_up(kind, number)
    for _, extension in ipairs(extensions) do
        if extension[kind][number] then
            return extension, extension[kind][number]
        end
    end
end

local function name_all(kind, pinfo, tree)
    for _, field in ipairs({ found[kind]() }) do
        local extension, name = look_up(kind, field.value)
        if extension then
            local item = tree:add(hawser, field.range, extension.name .. ": " .. name)
            item:add(names.extension, field.range, extension.name)
            item:add(names[kind], field.range, name)
            if kind == "chunks" then
                pinfo.cols.info:append(name .. " ")
            end
        end
    end
end

function hawser.dissector(_, pinfo, tree)
    for _, kind in ipairs({ "chunks", "parameters", "causes" }) do
        name_all(kind, pinfo, tree)
    end
end

register_postdissector(hawser)
for _, protocol in ipairs(protocols) do
    DissectorTable.get("ip.proto"):add(protocol, Dissector.get("sctp"))
end
